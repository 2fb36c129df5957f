/** What a model file holds, in numbers. */
package pelican.summary;
