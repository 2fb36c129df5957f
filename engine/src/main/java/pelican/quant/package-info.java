/** The block formats of ggml: layout, decoding and encoding. */
package pelican.quant;
