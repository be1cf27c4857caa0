// Judges an AsyncAPI document on standard input, by the parser of its own project: a line for each thing that is wrong.

import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const SEVERITIES = ["error", "warning"]; // then come information and hints

const { diagnostics } = await new Parser().parse(readFileSync(0, "utf8"));
for (const { severity, path, message } of diagnostics) {
  if (severity < SEVERITIES.length) console.log(`${SEVERITIES[severity]}: ${path.join(".")}: ${message}`);
}
