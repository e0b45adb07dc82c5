import {
  complementAddresses,
  complementPorts,
  type Family,
  intersectRanges,
  isEmpty,
} from "../../address/ranges.ts";
