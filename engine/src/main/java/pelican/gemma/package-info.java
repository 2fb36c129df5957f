/** The Gemma 4 architecture: configuration, weights, KV cache, forward pass. */
package pelican.gemma;
