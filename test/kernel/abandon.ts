/** Builds a lab with a running program, says so, and waits to be killed: what `lab.test.ts` needs to see swept away. */
import { createLab } from "./lab.ts";

const lab = await createLab();
const host = await lab.host();
await host.spawn(["memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", "11211"], 11211);
console.log(host.namespace);
setInterval(() => {}, 1000);
