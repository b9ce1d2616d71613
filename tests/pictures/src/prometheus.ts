/** Prometheus' HTTP API, through the proxy of the same origin. */

export interface Series {
  metric: Record<string, string>;
  values: [number, string][];
}

async function ask(path: string, form: Record<string, string>): Promise<any> {
  const answer = await fetch(`/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(form) });
  const said = await answer.json();
  if (said.status !== 'success') {
    throw new Error(said.error ?? `status ${answer.status}`);
  }
  return said.data;
}

export async function instant(query: string, at: number): Promise<Series[]> {
  const { resultType, result } = await ask('query', { query, time: String(at) });
  if (resultType === 'scalar') {
    return [{ metric: {}, values: [result] }];
  }
  return result.map((one: any) => ({ metric: one.metric, values: [one.value] }));
}

/** The series of a query over a time; seconds, as Grafana asks: both ends are multiples of the step. */
export async function range(query: string, from: number, to: number, step: number): Promise<Series[]> {
  const [start, end] = [from, to].map((at) => Math.floor(at / step) * step);
  const { result } = await ask('query_range', { query, start: String(start), end: String(end), step: String(step) });
  return result;
}

export async function values(label: string, match: string, from: number, to: number): Promise<string[]> {
  const asked = new URLSearchParams({ 'match[]': match, start: String(from), end: String(to) });
  const said = await (await fetch(`/api/v1/label/${label}/values?${asked}`)).json();
  if (said.status !== 'success') {
    throw new Error(said.error);
  }
  return said.data;
}
