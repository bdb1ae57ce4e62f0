// Vercel's AI SDK with its OpenAI provider: Responses, with items stored by the server or not.
import { readFileSync } from "node:fs";
import { createOpenAI } from "@ai-sdk/openai";
import { streamText, stepCountIs, tool } from "ai";
import { z } from "zod";

const [url, key, model, mode, words] = process.argv.slice(2);
const provider = createOpenAI({ baseURL: `${url}/v1`, apiKey: key });
const result = streamText({
  model: provider.responses(model),
  prompt: words,
  stopWhen: stepCountIs(4),
  providerOptions: { openai: { store: mode === "stored" } },
  tools: {
    read_file: tool({
      description: "Read a text file.",
      inputSchema: z.object({ path: z.string() }),
      execute: async ({ path }) => readFileSync(path, "utf-8"),
    }),
  },
  onError: ({ error }) => { console.error(error); process.exitCode = 1; },
});
for await (const text of result.textStream) process.stdout.write(text);
