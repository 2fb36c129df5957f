/** Reading and writing GGUF files. */
package pelican.gguf;
