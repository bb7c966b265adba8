import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
  visit,
} from 'yaml';
import type { Diagnostic, SourceRange } from '../diagnostics/diagnostic.ts';
import type { KubeObject } from '../istio/resources.ts';
import { type AliasProblem, followAliases, MAX_ALIAS_GROWTH } from './aliases.ts';
import { isMapping, readKubeObject, type UsualNamespace } from './kube-object.ts';
import type { FieldPath, Locate } from './locate.ts';
import { explainSyntaxError } from './yaml-errors.ts';

/** An object and where it was written. */
export interface ManifestObject {
  readonly object: KubeObject;
  readonly file: string;
  readonly locate: Locate;
}

/** What a text contains. When there are errors, nothing of it should be applied. */
export interface Manifests {
  readonly objects: readonly ManifestObject[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Longest text that is read, in UTF-16 units: 1 Mi. */
export const MAX_TEXT_LENGTH = 1 << 20;

/**
 * Reads YAML (1.2 core schema; JSON is a part of it) with any number of documents, and lists (`kind: List`, or any kind that ends in List
 * and has `items`) as their members. Empty documents are skipped. Refused, all with their place in the text: what is not YAML,
 * duplicate keys, tags, texts over 1 Mi characters, aliases that expand too far, and values that are not Kubernetes-style objects.
 * `namespace` is that of objects that name none, else `default`.
 */
export function parseManifests(text: string, file: string, namespace?: UsualNamespace): Manifests {
  if (text.length > MAX_TEXT_LENGTH) {
    const source = { file, line: 1, column: 1, endLine: 1, endColumn: 1 };
    const message = `the file is larger than ${MAX_TEXT_LENGTH} characters`;
    return { objects: [], diagnostics: [{ code: 'PERCH1002', severity: 'error', message, source, hint: 'split it into several files' }] };
  }
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    version: '1.2',
    schema: 'core',
    stringKeys: true,
    // The library compares each key with each other one; ours is linear.
    uniqueKeys: false,
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const reader = new ManifestReader(file, text, lines, namespace);
  // For a text without any document the library answers with an empty list that says so in its type only.
  for (const document of documents) reader.readDocument(document as Document.Parsed);
  return { objects: reader.objects, diagnostics: reader.diagnostics };
}

type Targets = ReadonlyMap<Alias, Node>;

class ManifestReader {
  readonly objects: ManifestObject[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly #file: string;
  readonly #text: string;
  readonly #lines: LineCounter;
  readonly #namespace: UsualNamespace | undefined;

  constructor(file: string, text: string, lines: LineCounter, namespace: UsualNamespace | undefined) {
    this.#file = file;
    this.#text = text;
    this.#lines = lines;
    this.#namespace = namespace;
  }

  readDocument(document: Document.Parsed): void {
    if (!this.#checkSyntax(document)) return;
    const { targets, problem } = followAliases(document.contents);
    if (problem !== undefined) {
      this.#reportAlias(problem);
      return;
    }
    const value: unknown = document.toJS({ maxAliasCount: -1 });
    if (value === null || value === undefined) return;
    this.#readValue(value, (path, part) => this.#locate(document.contents, targets, path, part));
  }

  #readValue(value: unknown, locate: Locate): void {
    if (isMapping(value) && typeof value['kind'] === 'string' && value['kind'].endsWith('List') && Array.isArray(value['items'])) {
      value['items'].forEach((item: unknown, index) => {
        this.#readValue(item, (path, part) => locate(['items', index, ...path], part));
      });
      return;
    }
    const { object, diagnostics } = readKubeObject(value, locate, this.#namespace);
    this.diagnostics.push(...diagnostics);
    if (object !== undefined) this.objects.push({ object, file: this.#file, locate });
  }

  /** Reports what is wrong with the text of a document; true when it may be converted. */
  #checkSyntax(document: Document.Parsed): boolean {
    const before = this.diagnostics.length;
    const linesSeen = new Set<number>();
    for (const error of document.errors) {
      const source = this.#range(error.pos[0], error.pos[1]);
      // One mistake often upsets the parser several times on the same line.
      if (linesSeen.has(source.line)) continue;
      linesSeen.add(source.line);
      const { message, hint } = explainSyntaxError(error);
      this.#report('PERCH1001', source, message, hint);
    }
    for (const key of repeatedKeys(document.contents)) {
      const message = `${String(key.value)} stands twice in this mapping`;
      this.#report('PERCH1003', this.#rangeOf(key), message, 'keep one of the two');
    }
    for (const warning of document.warnings) {
      if (warning.code === 'TAG_RESOLVE_FAILED') {
        this.#report('PERCH1005', this.#range(warning.pos[0], warning.pos[1]), 'tags are not supported', 'write the plain value');
      }
    }
    const directives = document.directives;
    if (directives?.yaml.explicit === true && directives.yaml.version !== '1.2') {
      const message = `YAML ${directives.yaml.version} is not supported`;
      this.#report('PERCH1005', this.#range(0, 1), message, 'remove the %YAML line; files are read as YAML 1.2');
    }
    return this.diagnostics.length === before;
  }

  #reportAlias({ kind, alias }: AliasProblem): void {
    const [offset, end] = alias.range ?? [0, 1];
    const said = {
      unknown: [`no anchor &${alias.source} stands before this alias`, `write &${alias.source} at the value that is meant`],
      circular: [`the alias *${alias.source} stands inside the value that it names`, 'write the value out'],
      'too many': [`aliases expand to more than ${MAX_ALIAS_GROWTH} values`, 'write the values out'],
    } as const;
    const [message, hint] = said[kind];
    this.#report('PERCH1004', this.#range(offset, end), message, hint);
  }

  #report(code: Diagnostic['code'], source: SourceRange, message: string, hint: string): void {
    this.diagnostics.push({ code, severity: 'error', message, source, hint });
  }

  #range(offset: number, end: number): SourceRange {
    const from = this.#lines.linePos(offset);
    const to = this.#lines.linePos(Math.max(end, offset));
    return { file: this.#file, line: from.line, column: from.col, endLine: to.line, endColumn: to.col };
  }

  #locate(contents: Node | null, targets: Targets, path: FieldPath, part: 'key' | 'value' = 'value'): SourceRange {
    let key: Node | undefined;
    let value: unknown = contents;
    for (const step of path) {
      const next = child(isAlias(value) ? targets.get(value) : value, step);
      if (next === undefined) {
        // Absent: the nearest ancestor stands for it.
        return this.#rangeOf(key ?? value);
      }
      key = next.key ?? undefined;
      value = next.value;
    }
    const pointAtKey = key !== undefined && (part === 'key' || !isScalar(value));
    return this.#rangeOf(pointAtKey ? key : value);
  }

  #rangeOf(node: unknown): SourceRange {
    const [offset, end] = (node as Node | undefined | null)?.range ?? [0, 0];
    // A collection ends lines later; its first line is what is worth showing.
    const lineEnd = this.#text.slice(offset, end).search(/[\r\n]/);
    return this.#range(offset, lineEnd < 0 ? end : offset + lineEnd);
  }
}

/** The keys that stand in their mapping for the second time or more. */
function repeatedKeys(contents: Node | null): readonly Scalar[] {
  const repeated: Scalar[] = [];
  visit(contents, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) repeated.push(key);
        seen.add(key.value);
      }
    },
  });
  return repeated;
}

function child(node: unknown, step: string | number): { readonly key: Node | undefined; readonly value: unknown } | undefined {
  if (isMap<Node>(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && item.key.value === String(step));
    // `key:` without a value has a null scalar or none at all; then the key is all there is.
    return pair === undefined ? undefined : { key: pair.key, value: pair.value ?? pair.key };
  }
  if (isSeq(node) && typeof step === 'number' && step < node.items.length) return { key: undefined, value: node.items[step] };
  return undefined;
}
