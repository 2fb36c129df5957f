/** Output bound by a grammar: JSON and JSON Schema as masks over a model's vocabulary. */
package pelican.grammar;
