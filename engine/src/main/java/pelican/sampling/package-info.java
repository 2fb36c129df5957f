/** From logits to the next token. */
package pelican.sampling;
