import { testPeersAt } from "./at-place.ts";

testPeersAt("attach", "wss");
