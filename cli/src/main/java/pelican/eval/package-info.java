/** Scores models on prompts whose right answers are known. */
package pelican.eval;
