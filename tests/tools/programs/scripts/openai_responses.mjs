// OpenAI's package for Node: Responses, streamed, continued by previous_response_id.
import { readFileSync } from "node:fs";
import OpenAI from "openai";

const [url, key, model, , words] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key });
const parameters = { type: "object", properties: { path: { type: "string" } }, required: ["path"] };
const tools = [{ type: "function", name: "read_file", description: "Read a text file.", parameters, strict: false }];
let input = words;
let previous_response_id;
for (let step = 0; step < 4; step += 1) {
  const response = await client.responses.stream({ model, input, tools, previous_response_id }).finalResponse();
  const calls = response.output.filter((item) => item.type === "function_call");
  previous_response_id = response.id;
  input = calls.map((call) => ({
    type: "function_call_output",
    call_id: call.call_id,
    output: readFileSync(JSON.parse(call.arguments).path, "utf-8"),
  }));
  if (!calls.length) {
    console.log(response.output_text);
    break;
  }
}
