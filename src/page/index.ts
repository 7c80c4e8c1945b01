import { App } from "./app.ts";
import { readFacts } from "./facts.ts";

void new App(readFacts()).start();
