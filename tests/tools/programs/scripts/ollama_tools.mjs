// Ollama's package for JavaScript: chat with a tool, streamed.
import { readFileSync } from "node:fs";
import { Ollama } from "ollama";

const [url, key, model, , words] = process.argv.slice(2);
const client = new Ollama({ host: url, headers: { authorization: `Bearer ${key}` } });
const parameters = { type: "object", properties: { path: { type: "string" } }, required: ["path"] };
const tools = [{ type: "function", function: { name: "read_file", description: "Read a text file.", parameters } }];
const messages = [{ role: "user", content: words }];
for (let step = 0; step < 4; step += 1) {
  let content = "";
  const tool_calls = [];
  for await (const part of await client.chat({ model, messages, tools, stream: true })) {
    content += part.message.content;
    tool_calls.push(...(part.message.tool_calls ?? []));
  }
  messages.push({ role: "assistant", content, tool_calls });
  if (!tool_calls.length) break;
  for (const call of tool_calls) {
    const result = readFileSync(call.function.arguments.path, "utf-8");
    messages.push({ role: "tool", content: result, tool_name: call.function.name });
  }
}
console.log(messages.at(-1).content);
