/** The time that is shown, and how finely Prometheus is asked about it. */
import { dateTime, rangeUtil, TimeRange } from '@grafana/data';

export interface Span {
  range: TimeRange;
  from: number;
  to: number;
  /** Seconds between two scrapes, as the datasource is told. */
  scrape: number;
}

export function span(raw: { from: string; to: string }, scrape: number): Span {
  const range = rangeUtil.convertRawToRange(raw);
  return { range, from: range.from.valueOf() / 1000, to: range.to.valueOf() / 1000, scrape };
}

/** Seconds between two points of a panel so many pixels wide. */
export function step(span: Span, points: number, least: string): number {
  return rangeUtil.calculateInterval(span.range, points, least || `${span.scrape}s`).intervalMs / 1000;
}

/** What Grafana puts in for its own variables; *least* is the shortest step that a query asks for. */
export function builtin(span: Span, step: number, least = ''): Record<string, string> {
  const whole = Math.round(span.to - span.from);
  const scrape = least ? rangeUtil.intervalToSeconds(least) : span.scrape;
  return {
    __interval: seconds(step),
    __interval_ms: String(step * 1000),
    __rate_interval: seconds(Math.max(step + scrape, 4 * scrape)),
    __range: `${whole}s`,
    __range_s: String(whole),
    __range_ms: String(whole * 1000),
    __from: String(Math.round(span.from * 1000)),
    __to: String(Math.round(span.to * 1000)),
    __url_time_range: `from=${Math.round(span.from * 1000)}&to=${Math.round(span.to * 1000)}`,
  };
}

export function clock(at: number): string {
  return dateTime(at * 1000).format('YYYY-MM-DD HH:mm:ss');
}

const seconds = (figure: number): string => (figure < 1 ? `${figure * 1000}ms` : `${Math.round(figure)}s`);
