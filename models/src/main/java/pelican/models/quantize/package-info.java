/** Turns GGUF files into others of fewer, or more, bits per weight. */
package pelican.models.quantize;
