/** A value as YAML, without a line end. The same value gives the same bytes. */
export async function yamlText(value: unknown): Promise<string> {
  // Loaded where it is needed: it costs as much as all of `perch version`.
  const { stringify } = await import('yaml');
  // kubectl and Argo CD read YAML 1.1, where a plain `on` is true and 12:30 a number.
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false, compat: 'yaml-1.1' }).trimEnd();
}
