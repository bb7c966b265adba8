import { httpDate } from './http-date.ts';

/** The value of a header, undefined where there is none; `name` and the names in `fields` (name, value, ...) in lower case. */
export function fieldValue(fields: readonly string[], name: string): string | undefined {
  for (let at = 0; at < fields.length; at += 2) if (fields[at] === name) return fields[at + 1];
  return undefined;
}

/** The head of a response as latin1 text up to and including the empty line, dated. Fields: name, value, ...; names in lower case. */
export function responseHeadText(status: number, reason: string, fields: readonly string[]): string {
  let text = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (let at = 0; at < fields.length; at += 2) text += `${fields[at]}: ${fields[at + 1]}\r\n`;
  return fieldValue(fields, 'date') === undefined ? `${text}date: ${httpDate()}\r\n\r\n` : `${text}\r\n`;
}

/** Whether a response says how long this body (latin1 text) is, and rightly so: then head and body together are the whole of it. */
export function announces(fields: readonly string[], body: string): boolean {
  return fieldValue(fields, 'content-length') === String(body.length);
}
