/**
 * Regular expressions as automata over code points, for strings of JSON that have to match them.
 */
package pelican.grammar.regex;
