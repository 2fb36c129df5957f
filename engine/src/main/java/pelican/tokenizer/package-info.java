/** Text to token ids and back. */
package pelican.tokenizer;
