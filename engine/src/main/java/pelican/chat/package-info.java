/** Gemma 4's chat format: messages to prompt, output to thinking, text and tool calls. */
package pelican.chat;
