// Runs the script of the verification page without a browser. node verifier.cjs PAGE < cases: one JSON line a case,
// {"files": [path, …], "pin": text}; prints for the first file of each case {"ok", "by", "at", "chain", "code"}.
const fs = require("fs");
const script = /<script>([\s\S]*?)<\/script>/.exec(fs.readFileSync(process.argv[2], "utf8"))[1];
const Kepu = new Function(script + "\nreturn Kepu;")();

(async () => {
  if (await Kepu.able()) throw new Error("this node has no Ed25519 in WebCrypto");
  for (const line of fs.readFileSync(0, "utf8").split("\n").filter(Boolean)) {
    const { files, pin } = JSON.parse(line);
    const [first] = await Kepu.verify(files.map((name) => ({ name, bytes: new Uint8Array(fs.readFileSync(name)) })), pin);
    console.log(JSON.stringify({ ok: first.ok, by: first.by, at: first.at, chain: first.chain, code: first.reason ? first.reason.code : "" }));
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
