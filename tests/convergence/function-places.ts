import { parseAst } from "vite";

/** Where a piece of a text stands. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

interface SyntaxNode extends Span {
  readonly type: string;
  readonly [member: string]: unknown;
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

/** The name of a class's member or of a declaration, as it is written. */
function nameOf(text: string, { id, key, type }: SyntaxNode): string | undefined {
  const named = type === "MethodDefinition" ? key : id;
  return isNode(named) ? text.slice(named.start, named.end) : undefined;
}

const kinds = new Set(["ClassDeclaration", "FunctionDeclaration", "MethodDefinition", "VariableDeclarator"]);

/** The functions of a script by their names: `open`, or `Door.open` and `Door.#open` of a class. */
export function functionsNamed(text: string, name: string): Span[] {
  const found: Span[] = [];
  const visit = (value: unknown, holder: string): void => {
    if (Array.isArray(value)) for (const item of value) visit(item, holder);
    if (!isNode(value)) return;
    const own = kinds.has(value.type) ? nameOf(text, value) : undefined;
    const isClass = value.type === "ClassDeclaration";
    if (own !== undefined && !isClass && holder + own === name) found.push({ start: value.start, end: value.end });
    const inner = isClass ? `${own ?? ""}.` : holder;
    for (const member of Object.values(value)) if (typeof member === "object") visit(member, inner);
  };
  visit(parseAst(text), "");
  return found;
}
