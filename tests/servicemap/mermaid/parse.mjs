// Reads a chart as a JSON string a line, and answers a line of JSON with what Mermaid understood.
import readline from "node:readline";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("<body></body>");
Object.assign(globalThis, { window, document: window.document });
const mermaid = (await import("mermaid")).default;
await mermaid.parse("flowchart LR"); // registers the diagrams

// Mermaid keeps entities apart from its grammar in this form until it draws.
const text = (label) => {
  const box = document.createElement("textarea");
  box.innerHTML = label.replaceAll("ﬂ°°", "&#").replaceAll("ﬂ°", "&").replaceAll("¶ß", ";");
  return box.value;
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  let answer;
  try {
    const chart = JSON.parse(line);
    await mermaid.parse(chart);
    const { type, db } = await mermaid.mermaidAPI.getDiagramFromText(chart);
    answer = {
      type,
      nodes: [...db.getVertices().values()].map((node) => text(node.text)),
      edges: db.getEdges().map((edge) => [edge.start, edge.end, text(edge.text), edge.stroke]),
      groups: db.getSubGraphs().map((group) => [text(group.title), group.nodes]),
    };
  } catch (error) {
    answer = { error: String(error) };
  }
  console.log(JSON.stringify(answer));
}
