import { z } from 'zod';

/** Who asks for a change, as they call themselves: the query parameter `by` of what applies and deletes. */
export const whoAsks = { by: z.string().min(1).max(200).optional().describe('Who asks, as they call themselves: for history and audit.') };
