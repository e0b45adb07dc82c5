/** Devices that a packet may have: one of `among` (null: any), and none of `except`. A trailing `*` matches a prefix. */
export interface Devices {
  readonly among: readonly string[] | null;
  readonly except: readonly string[];
}

export const allDevices: Devices = { among: null, except: [] };

/** The devices that also pass a further test; null when there are none. */
export function narrowDevices(
  known: Devices,
  test: { readonly devices: readonly string[]; readonly negated: boolean },
): Devices | null {
  const among = test.negated ? known.among : common(known.among ?? ["*"], test.devices);
  const except = test.negated ? [...known.except, ...test.devices] : known.except;
  // `*` is every device, and no device as well: a condition that always holds.
  if (except.includes("*")) return null;
  const left = among?.filter((device) => !except.some((other) => covers(other, device))) ?? null;
  if (left?.length === 0) return null;
  return {
    among: left?.includes("*") ? null : left && widest(left),
    except: widest(except.filter((device) => !left || left.some((other) => covers(other, device)))),
  };
}

/** Two patterns have devices in common only where one covers the other; the narrower one is what they share. */
function common(a: readonly string[], b: readonly string[]): readonly string[] {
  return a.flatMap((x) =>
    b.flatMap((y) => {
      if (covers(x, y)) return [y];
      return covers(y, x) ? [x] : [];
    }),
  );
}

/** Leaves out what another pattern covers, so that a device matches one of them only. */
function widest(devices: readonly string[]): readonly string[] {
  const distinct = [...new Set(devices)];
  return distinct.filter((device) => !distinct.some((other) => other !== device && covers(other, device)));
}

/** Whether every device that `narrow` matches is matched by `wide`. */
function covers(wide: string, narrow: string): boolean {
  return wide.endsWith("*") ? narrow.startsWith(wide.slice(0, -1)) : wide === narrow;
}
