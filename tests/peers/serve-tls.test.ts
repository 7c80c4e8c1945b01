import { testPeersAt } from "./at-place.ts";

testPeersAt("serve", "wss");
