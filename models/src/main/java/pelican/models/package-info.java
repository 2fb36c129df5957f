/** Model names, aliases, stores and registries. */
package pelican.models;
