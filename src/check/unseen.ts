const ofClient = "It is about a client: rocket check --client looks at it.";

/** Requirements that no case against a server is about, and why. A test holds this and the cases against PROTOCOL.md. */
export const unseenOfServers: Readonly<Record<string, string>> = {
  "R-MSG-13": "It is about an encoder's interface inside the program.",
  "R-L0-6": "It takes a server that loses its journal or meets a change outside the rows.",
  "R-L0-7": "It takes a subscription that the server ends by itself.",
  "R-L1-3": ofClient,
  "R-POS-5": ofClient,
  "R-SUB-14": ofClient,
  "R-RES-5": ofClient,
  "R-RES-6": "It takes a server that loses its journal.",
  "R-DER-1": "It takes two viewers whom the application answers differently.",
  "R-DER-2": "It takes an application whose caching fields are known and change.",
  "R-DER-7": "It takes an application that fails when it is told to.",
  "R-DER-9": "It takes an application with a login, and is about the time until the next look.",
  "R-BAND-14": "It is about the order of work inside the server, which shows in times only.",
  "R-HB-3": ofClient,
  "R-HB-4": "It takes a subscription that has fallen behind, which nobody can tell from outside.",
  "R-CLOSE-1":
    "It is about a client; that close codes are 4000 + the status is checked with R-L1-5, R-L1-6 and R-SUB-10.",
  "R-CLOSE-2": ofClient,
  "R-CLOSE-4": "It takes a server that is stopped.",
  "R-CLOSE-5": ofClient,
  "R-SEC-7": "It takes credentials that end, and an application that takes rights away.",
  "R-SEC-8": "It shows in the server's time only.",
};

/** Requirements on clients that no situation is about, and why. */
export const unseenOfClients: Readonly<Record<string, string>> = {
  "R-MSG-13": "It is about an encoder's interface inside the program.",
  "R-MSG-15": "It takes messages of 64 MiB, and what a client holds of them shows inside it only.",
  "R-MSG-16": "It takes a message of more than 64 MiB.",
  "R-L0-3": "It binds servers; a client of Level 0 keeps no position by which its state could be seen.",
  "R-POS-2": "That a position is sent back as it came is checked with R-RES-5.",
  "R-POS-7": "It takes a client that writes, and shows its own writes ahead of time.",
  "R-FLD-4": "It takes a client that writes: it must not to a row without a URL.",
  "R-FLD-5": "That a malformed order counts as none shows in no order that is known.",
  "R-FLD-12": "It takes a client that writes: it must not to a row whose URL has a fragment.",
  "R-SUB-15": "It takes a client that follows one record, and is asked what that is called.",
  "R-RES-1": "It binds servers; that clients resume is checked with R-RES-5.",
  "R-WK-4":
    "Every situation's well-known URL has a promise that nobody knows; a client that is troubled by it follows nothing.",
  "R-WK-5": "Every situation stands below a base path of its own; a client that does not know base paths follows URLs.",
  "R-HB-2": "It allows something to clients, and binds servers.",
  "R-SEC-3": "It takes a client with a token.",
  "R-SEC-8": "It shows in a client's time only.",
};
