import { testPeersAt } from "./at-place.ts";

testPeersAt("proxy", "wss");
