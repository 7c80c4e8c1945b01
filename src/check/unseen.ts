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
