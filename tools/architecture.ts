import { runCommand } from './run-command.ts';

/** What a check found: nothing, or the text to show. */
export interface Findings {
  readonly ok: boolean;
  readonly text: string;
}

interface CruiseReport {
  readonly modules: readonly { readonly source: string; readonly dependencies: readonly unknown[] }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly comment?: string;
      readonly rule: { readonly name: string };
      readonly cycle?: readonly { readonly name: string }[];
    }[];
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string; readonly comment: string }[] };
  };
}

/**
 * Runs dependency-cruiser with the rules of `.dependency-cruiser.cjs` over `files` (paths from `root`).
 * It reports success when it understood nothing at all (it needs TypeScript 6's API), so this also insists that every
 * file was read and that imports were seen.
 */
export async function checkArchitecture(root: string, cruiser: string, files: readonly string[]): Promise<Findings> {
  const result = await runCommand(process.execPath, [cruiser, ...files, '--config', '.dependency-cruiser.cjs', '--output-type', 'json'], {
    cwd: root,
  });
  let report: CruiseReport;
  try {
    report = JSON.parse(result.stdout) as CruiseReport;
  } catch {
    return { ok: false, text: result.output };
  }
  const read = new Set(report.modules.map((module) => module.source));
  const unread = files.filter((file) => !read.has(file));
  const imports = report.modules.reduce((sum, module) => sum + module.dependencies.length, 0);
  if (unread.length > 0 || imports < files.length / 2) {
    return {
      ok: false,
      text: `dependency-cruiser read ${files.length - unread.length} of ${files.length} files and saw ${imports} imports: is TypeScript 6 installed as "typescript"?\n${unread.join('\n')}\n`,
    };
  }
  const reasons = new Map(report.summary.ruleSetUsed.forbidden.map((rule) => [rule.name, rule.comment]));
  const lines = report.summary.violations.map((violation) => {
    const way = violation.cycle === undefined ? violation.to : violation.cycle.map((step) => step.name).join(' -> ');
    return `${violation.from} -> ${way}\n  ${violation.rule.name}: ${reasons.get(violation.rule.name) ?? ''}\n`;
  });
  if (lines.length > 0) return { ok: false, text: lines.join('') };
  return result.code === 0 ? { ok: true, text: '' } : { ok: false, text: result.output };
}
