import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { file, lintText, nat, type Section, symmetricBoth, tracked } from "../../lint/support.ts";
import { policyOf } from "../../support/policy.ts";
import { BACKENDS, load } from "../backends.ts";
import { type Crossroads, crossroads } from "../crossroads.ts";
import { describeKernel } from "../requirements.ts";
import { endOf, HOST, sendInTurn, told } from "./foretold.ts";
import { scriptsOf } from "./run.ts";
import { parseShot } from "./shots.ts";

/*
 * A warning may be wrong about what somebody meant, and must not be wrong about what happens. Each that speaks of packets
 * is shown here, and beside it what happens once its advice is taken. (`keep-ports`: see `facts/nat.test.ts`.)
 */

const SSH = tracked("allow tcp from any to self port 22");

for (const backend of BACKENDS) {
  describeKernel(`what the warnings speak of happens under ${backend}`, () => {
    let net: Crossroads;

    beforeAll(async () => {
      net = await crossroads();
    });
    afterAll(() => net.lab.destroy());
    beforeEach(() => net.forget());

    /** Loads a policy of which a check warns; or, without one, a policy of which none does. */
    async function install(check: string | null, ...sections: readonly Section[]): Promise<string> {
      const text = file(HOST, ...sections);
      expect(lintText(text).map((finding) => finding.check)).toEqual(check === null ? [] : [check]);
      await load(net.host, backend, scriptsOf(policyOf(text)));
      return text;
    }
    const shot = (text: string) => parseShot(text, null);
    const send = (...packets: readonly string[]) => sendInTurn(net, packets.map(shot));

    test("dnat-not-allowed: what is translated is dropped behind the translation", async () => {
      const web = nat("dnat tcp from any to self port 8080 in eth0 -> 10.7.1.5 port 80");
      const forOld = tracked("allow tcp from any to self port 8080 in eth0");
      const { packet } = told(await install("dnat-not-allowed", forOld, SSH, web), "dnat-not-allowed", 0);
      expect(packet.packet).toMatchObject({ path: "forward", destinationPort: 80 });
      const asked = "tcp 198.51.100.7:40000 > 10.0.0.1:8080 in eth0 flags syn via eth1";
      expect((await send(asked))[0]).toMatchObject({ arrived: true, passedRaw: true, end: null });
      await install(null, tracked("allow tcp from any to 10.7.1.5 port 80 in eth0"), SSH, web);
      expect(endOf((await send(asked))[0]!)).toMatchObject({
        path: "forward",
        packet: { destination: "10.7.1.5", destinationPort: 80 },
      });
    });

    test("no-way-back-in: an open connection stays, and no second one opens", async () => {
      const [first, answer, later, second] = [
        "tcp 198.51.100.7:40000 > 10.0.0.1:22 in eth0 flags syn",
        "tcp 10.0.0.1:22 > 198.51.100.7:40000 out eth0 flags syn,ack",
        "tcp 198.51.100.7:40000 > 10.0.0.1:22 in eth0 flags ack",
        "tcp 198.51.100.7:40001 > 10.0.0.1:22 in eth0 flags syn",
      ] as const;
      await install(null, SSH);
      const opened = await send(first, answer);
      expect(opened.map((one) => endOf(one)?.state)).toEqual(["new", "established"]);
      await install("no-way-back-in", tracked("allow tcp from any to self port 443"));
      const [kept, refused] = await send(later, second);
      expect(endOf(kept!)?.state).toBe("established");
      expect(refused).toMatchObject({ arrived: true, end: null });
    });

    test("untracked-from-anywhere: an answer that nobody asked for comes in", async () => {
      const unasked = "udp 198.51.100.7:53 > 10.0.0.1:40000 in eth0";
      const [asked, answer] = [
        "udp 10.0.0.1:40001 > 198.51.100.7:53 out eth0",
        "udp 198.51.100.7:53 > 10.0.0.1:40001 in eth0",
      ];
      await install("untracked-from-anywhere", symmetricBoth("allow udp from any to self"), SSH);
      expect(endOf((await send(unasked))[0]!)?.state).toBe("untracked");
      await install(null, tracked("deny udp from self to 192.0.2.0/24 port 53"), SSH);
      const [none, question, known] = await send(unasked, asked!, answer!);
      expect(none).toMatchObject({ arrived: true, end: null });
      expect([question, known].map((one) => endOf(one!)?.state)).toEqual(["new", "established"]);
    });

    test("shadowed-rule: the rule above decides", async () => {
      const [wide, narrow] = ["deny from 10.7.0.0/16 to any", "allow tcp from 10.7.2.3 to self port 443"];
      const packet = "tcp 10.7.2.3:40000 > 10.0.0.1:443 in eth0 flags syn";
      await install("shadowed-rule", tracked(wide, narrow), SSH);
      expect((await send(packet))[0]).toMatchObject({ arrived: true, end: null });
      await install(null, tracked(narrow, wide), SSH);
      expect(endOf((await send(packet))[0]!)?.state).toBe("new");
    });

    test("redundant-rule: without the rule everything is as before", async () => {
      const [wide, narrow] = [
        "allow tcp from any to self port 80, 443",
        "allow tcp from 10.7.0.0/16 to self port 443",
      ];
      const packets = ["10.7.2.3", "10.8.2.3"].flatMap((from) =>
        [80, 443, 444].map((port) => `tcp ${from}:40000 > 10.0.0.1:${port} in eth0 flags syn`),
      );
      await install("redundant-rule", tracked(wide, narrow), SSH);
      const before = (await send(...packets)).map((one) => endOf(one)?.state ?? "dropped");
      await net.forget();
      await install(null, tracked(wide), SSH);
      expect((await send(...packets)).map((one) => endOf(one)?.state ?? "dropped")).toEqual(before);
      expect(before).toEqual(["new", "new", "dropped", "new", "new", "dropped"]);
    });
  });
}
