// A reader as in reader.py, for the clients of Node: node reader.mjs <client> <current> <ends> <said>
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const NAME = "select max(publication_id) from marts.publication";
const SUMS = "count(*)::bigint, sum(processed)::bigint, sum(cleared)::bigint, sum(investigated)::bigint";
const FIGURES = `select ${SUMS} from marts.fct_indicator_year`;

const [client, current, ends, said] = process.argv.slice(2);
// What is installed lies in the folder in which this is started.
const installed = createRequire(path.join(process.cwd(), "package.json"));
const version = (name) =>
  JSON.parse(fs.readFileSync(path.join(process.cwd(), "node_modules", name, "package.json"), "utf8")).version;

const clients = {
  // Each read opens the file.
  duckdb: async () => {
    const { DuckDBInstance } = installed("@duckdb/node-api");
    const read = async () => {
      const file = fs.realpathSync(path.join(current, "uppklarat.duckdb"));
      const instance = await DuckDBInstance.create(file, { access_mode: "READ_ONLY", threads: "1" });
      try {
        const connection = await instance.connect();
        try {
          const rows = await connection.runAndReadAll(`select (${NAME}), ${SUMS} from marts.fct_indicator_year`);
          return rows.getRows()[0];
        } finally {
          connection.closeSync();
        }
      } finally {
        instance.closeSync();
      }
    };
    return { read, close: async () => {}, version: version("@duckdb/node-api") };
  },
  // One connection that stays open; two statements of one transaction.
  pg: async () => {
    const { Client } = installed("pg");
    const connection = new Client();
    await connection.connect();
    const one = async (query) => (await connection.query({ text: query, rowMode: "array" })).rows[0];
    const read = async () => {
      await connection.query("begin");
      try {
        return [...(await one(NAME)), ...(await one(FIGURES))];
      } finally {
        await connection.query("commit");
      }
    };
    return { read, close: () => connection.end(), version: version("pg") };
  },
};

const { read, close, version: used } = await clients[client]();
const found = { version: used, reads: 0, seconds: 0, errors: {}, seen: {} };
const parent = process.ppid;
const began = performance.now();

const tell = () => {
  found.seconds = (performance.now() - began) / 1000;
  fs.writeFileSync(`${said}.new`, JSON.stringify(found));
  fs.renameSync(`${said}.new`, said);
};

while (!fs.existsSync(ends) && process.ppid === parent) {
  let kind = "seen";
  let what = "";
  try {
    what = (await read()).map(String).join(" ");
  } catch (error) {
    kind = "errors";
    what = String(error).slice(0, 300);
  }
  found.reads += 1;
  found[kind][what] = (found[kind][what] ?? 0) + 1;
  if (found[kind][what] === 1) tell();
}
tell();
await close();
