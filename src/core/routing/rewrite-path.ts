import { type Matcher, RE2JS } from 're2js';
import type { HTTPMatchRequest, HTTPRewrite } from '../istio/resources.ts';
import { byteText } from './byte-text.ts';
import type { RoutedRequest } from './routed-request.ts';

/** Gives the path and query to send upstream. */
export type PathRewrite = (request: RoutedRequest) => string;

/** The rewrite of a route, which depends on the match block that was hit; undefined: the path stays (istio-semantics 1.11). */
export function compilePathRewrite(rewrite: HTTPRewrite | undefined, match: HTTPMatchRequest): PathRewrite | undefined {
  if (rewrite?.uri !== undefined && rewrite.uri !== '') return replaceMatched(byteText(rewrite.uri), match);
  if (rewrite?.uriRegexRewrite !== undefined) return replaceRegex(rewrite.uriRegexRewrite.match, rewrite.uriRegexRewrite.rewrite);
  return undefined;
}

/** Replaces the part of the path that was matched: a prefix, or all of it for exact and regex. Without a uri match that is the prefix `/`. */
export function replaceMatched(replacement: string, match: HTTPMatchRequest): PathRewrite {
  const uri = match.uri ?? { prefix: '/' };
  if (!('prefix' in uri)) return (request) => replacement + request.query;
  const matched = byteText(uri.prefix).length;
  return (request) => replacement + request.head.path.slice(matched);
}

function replaceRegex(regex: string, rewrite: string): PathRewrite {
  const pattern = RE2JS.compile(regex);
  const parts = rewriteParts(rewrite);
  return (request) => replaceAll(pattern, parts, request.path) + request.query;
}

/** `\0` to `\9` are groups, `\\` a backslash (RE2 Rewrite). */
function rewriteParts(rewrite: string): readonly (string | number)[] {
  return (rewrite.match(/\\[\s\S]|[^\\]+/g) ?? []).map((part) => {
    if (!part.startsWith('\\')) return byteText(part);
    return part === '\\\\' ? '\\' : Number.parseInt(part.slice(1), 10);
  });
}

/** What is wrong with the rewrite text, for a regex that RE2 takes; undefined: nothing. */
export function rewriteProblem(regex: string, rewrite: string): string | undefined {
  if (/[^\\](?:\\\\)*\\$|^(?:\\\\)*\\$/.test(rewrite)) return 'it ends in a single backslash';
  for (const [escaped] of rewrite.matchAll(/\\[\s\S]/g)) {
    if (!/^\\[0-9\\]$/.test(escaped)) return `${escaped} is neither a group (\\0 to \\9) nor \\\\`;
    const group = Number.parseInt(escaped.slice(1), 10);
    const groups = RE2JS.compile(regex).groupCount();
    if (group > groups) return `the regex has ${groups} groups, not ${group}`;
  }
  return undefined;
}

/** RE2's GlobalReplace: an empty match right after a match does not count. */
function replaceAll(pattern: RE2JS, parts: readonly (string | number)[], text: string): string {
  const matcher = pattern.matcher(text);
  let result = '';
  let copied = 0;
  let at = 0;
  while (at <= text.length && matcher.find(at)) {
    const start = matcher.start();
    const end = matcher.end();
    if (start === end && start === copied && copied > 0) {
      at = start + 1;
      continue;
    }
    result += text.slice(copied, start);
    for (const part of parts) result += typeof part === 'string' ? part : group(matcher, part);
    copied = end;
    at = end > start ? end : end + 1;
  }
  return result + text.slice(copied);
}

function group(matcher: Matcher, index: number): string {
  return matcher.group(index) ?? '';
}
