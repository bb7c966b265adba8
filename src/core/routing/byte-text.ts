/**
 * Text as it stands on the wire: its UTF-8 bytes, one character (0 to 255) each. Heads are read and written so; what people configure is
 * compared with them byte by byte, as Envoy does.
 */
export function byteText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is "all ASCII".
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  return encodeURIComponent(text.toWellFormed()).replace(/%([0-9A-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
