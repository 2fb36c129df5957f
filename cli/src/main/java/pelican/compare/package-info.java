/**
 * Compares quantizations of a model: what they take, how far their weights and their probabilities
 * are apart, what they answer, how fast they are.
 */
package pelican.compare;
