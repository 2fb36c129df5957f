/** Matrix products over quantized weights, and the worker threads that run them. */
package pelican.kernel;
