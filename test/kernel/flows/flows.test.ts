import { ENDPOINT } from "./endpoint.ts";
import { ROUTER } from "./router.ts";
import { tell } from "./stage.ts";

tell({ left: ENDPOINT, near: ROUTER });
