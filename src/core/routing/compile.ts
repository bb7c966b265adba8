import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { KubeObject } from '../istio/resources.ts';
import { Compilation } from './compilation.ts';
import { type CompiledRun, tableOf } from './compiled-run.ts';
import type { ExplainedTable } from './explanation.ts';
import { KeptRouting } from './kept-routing.ts';
import { sortByKind } from './route-objects.ts';
import { type Former, updatedRun } from './updated-run.ts';

/** Routing objects as one table, and what in them does not fit together: warnings, for what leads nowhere is served as Istio serves it. */
export interface CompiledRouting {
  readonly table: ExplainedTable;
  readonly diagnostics: readonly Diagnostic[];
}

const NONE_AWAITED: ReadonlySet<string> = new Set();

/**
 * Compiles routing objects, which passed `validateRoutingObject` and come in order of creation, into one table that does what istiod and
 * Envoy would do with them. Other kinds are left out. `awaited` are delegates, as `namespace/name`, that are about to be created: it is no
 * finding that they are not there yet.
 */
export function compileRouting(objects: readonly KubeObject[], awaited: ReadonlySet<string> = NONE_AWAITED): CompiledRouting {
  return new RoutingCompiler().compile(objects, awaited);
}

/**
 * `compileRouting` again and again: what was made of objects that are still the same ones is used again, so that a change costs what it
 * changes. That saves work and nothing else: the table and the findings are those of `compileRouting`.
 */
export class RoutingCompiler {
  readonly #kept = new KeptRouting();
  #last: Former | undefined;

  compile(objects: readonly KubeObject[], awaited: ReadonlySet<string> = NONE_AWAITED): CompiledRouting {
    const run = (this.#last && updatedRun(this.#last, objects, awaited, this.#kept)) ?? this.#compileAll(objects, awaited);
    this.#last = { objects, awaited, run };
    return { table: tableOf(run), diagnostics: run.diagnostics };
  }

  #compileAll(objects: readonly KubeObject[], awaited: ReadonlySet<string>): CompiledRun {
    const run = new Compilation(sortByKind(objects), awaited, this.#kept).run();
    this.#kept.endRun();
    return run;
  }
}
