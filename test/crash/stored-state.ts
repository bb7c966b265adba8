import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runtimeAdmission } from '../../src/cluster/admission.ts';
import { openSqliteStore } from '../../src/cluster/local/sqlite-store.ts';
import type { StoredObject } from '../../src/cluster/store.ts';

/**
 * What a runtime that was killed has left in its data directory, read from a copy: the next one finds it as it was. Opening verifies
 * each row. Empty where the runtime had not begun to write.
 */
export async function storedState(dataDir: string): Promise<readonly StoredObject[]> {
  if (!existsSync(join(dataDir, 'perch.db'))) return [];
  const copy = mkdtempSync(join(tmpdir(), 'perch-copy-'));
  try {
    cpSync(dataDir, copy, { recursive: true });
    const onListenerError = (error: unknown): never => {
      throw error;
    };
    const store = openSqliteStore({ dataDir: copy, now: Date.now, admission: runtimeAdmission, onListenerError });
    const objects = await store.list();
    await store.close();
    return objects;
  } finally {
    rmSync(copy, { recursive: true });
  }
}
