/** The public API: load a model, hold a session, generate text. */
package pelican.engine;
