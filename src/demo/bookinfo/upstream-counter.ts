/** Counts the answers of called services, as Bookinfo's `/metrics` does. */
export interface UpstreamCounter {
  count(app: string, status: number): void;
  /** Prometheus text format 0.0.4. */
  render(): string;
}

/** A counter `request_result_total` by destination and status. */
export function createUpstreamCounter(): UpstreamCounter {
  const counts = new Map<string, number>();
  return {
    count: (app, status) => {
      const labels = `{destination_app="${app}",response_code="${status}"}`;
      counts.set(labels, (counts.get(labels) ?? 0) + 1);
    },
    render: () => {
      const lines = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([labels, value]) => `request_result_total${labels} ${value}\n`);
      return `# HELP request_result_total Results of requests to other services\n# TYPE request_result_total counter\n${lines.join('')}`;
    },
  };
}
