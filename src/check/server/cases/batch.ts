import { demand, shown, skip } from "../../fault.ts";
import type { HttpAnswer } from "../../wire/http.ts";
import { jsonOf } from "../../wire/messages.ts";
import { wellKnownOf } from "../site.ts";
import type { ServerCase, Trial } from "../trial.ts";

type Fields = readonly (readonly [name: string, value: string])[];

function requireBatches(trial: Trial): void {
  if (!trial.survey.promises.includes("batch")) skip("It does not promise batch.");
}

function send(trial: Trial, requests: readonly object[], fields: Fields = []): Promise<HttpAnswer> {
  return trial.request({
    method: "POST",
    target: `${wellKnownOf(trial.site)}/batch`,
    fields: [["Content-Type", "application/json"], ...fields],
    body: JSON.stringify(requests),
  });
}

function whole(answer: HttpAnswer): string {
  return shown(answer.head + answer.body.toString());
}

/** Section 10, Batches. */
export const batchCases: readonly ServerCase[] = [
  {
    requirement: "R-BATCH-1",
    level: "http",
    title: "carries out the writes of a batch, and answers each",
    run: async (trial) => {
      requireBatches(trial);
      const urls = [(await trial.writer.create()).url, (await trial.writer.create()).url];
      const answer = await send(
        trial,
        urls.map((url) => ({ method: "DELETE", url })),
      );
      const answers = jsonOf(answer) as readonly { readonly status?: number }[] | undefined;
      const isRight = Array.isArray(answers) && answers.length === 2 && answers.every(({ status = 0 }) => status < 300);
      demand(answer.status === 200 && isRight, "A 200 with two answers.", whole(answer));
      for (const url of urls) {
        const after = await trial.get(url);
        demand(after.status === 404 || after.status === 410, `No record at ${url} any more.`, shown(after.head));
      }
    },
  },
  {
    requirement: "R-BATCH-2",
    level: "http",
    title: "refuses a batch whose request says by itself who asks",
    run: async (trial) => {
      requireBatches(trial);
      const { url } = await trial.writer.create();
      const answer = await send(trial, [{ method: "DELETE", url, fields: { Cookie: "rocket-check=1" } }]);
      demand(answer.status === 400, "A 400.", whole(answer));
      demand((await trial.get(url)).status === 200, "The record is still there.", "It is gone.");
    },
  },
  {
    requirement: "R-BATCH-3",
    level: "http",
    title: "writes nothing where a request of a batch is refused, and says which",
    run: async (trial) => {
      requireBatches(trial);
      const { url } = await trial.writer.create();
      const answer = await send(trial, [
        { method: "DELETE", url },
        { method: "DELETE", url },
      ]);
      const { request } = (jsonOf(answer) ?? {}) as { readonly request?: number };
      demand(answer.status >= 400 && request === 1, 'A problem with "request": 1.', whole(answer));
      demand((await trial.get(url)).status === 200, "The record is still there.", "It is gone.");
    },
  },
  {
    requirement: "R-BATCH-4",
    level: "http",
    title: "carries a batch with an Idempotency-Key out once",
    run: async (trial) => {
      requireBatches(trial);
      if (!trial.survey.promises.includes("idempotency-key")) skip("It does not promise idempotency-key.");
      const { url } = await trial.writer.create();
      const fields: Fields = [["Idempotency-Key", `"rocket-check-${Math.random().toString(36).slice(2)}"`]];
      const first = await send(trial, [{ method: "DELETE", url }], fields);
      const again = await send(trial, [{ method: "DELETE", url }], fields);
      const isSame = again.status === first.status && again.body.equals(first.body);
      demand(first.status === 200 && isSame, "The first answer again: a 200.", whole(again));
    },
  },
];
