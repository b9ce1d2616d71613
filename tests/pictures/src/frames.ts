/** What Prometheus answered, as the data frames that Grafana's Prometheus source makes of it. */
import { DataFrame, DataFrameType, Field, FieldType } from '@grafana/data';
import { Panel, Target } from './dashboard';
import { builtin, Span, step } from './moment';
import { instant, range, Series } from './prometheus';
import { put } from './variables';

/** The frames of a panel's queries, before its transformations. */
export async function ask(
  panel: Panel,
  choices: Record<string, string>,
  span: Span,
  points: number,
): Promise<DataFrame[]> {
  const targets = (panel.targets ?? []).filter((target) => !target.hide);
  const frames = await Promise.all(targets.map((target) => answer(target, choices, span, points, targets.length > 1)));
  return frames.flat();
}

async function answer(
  target: Target,
  choices: Record<string, string>,
  span: Span,
  points: number,
  many: boolean,
): Promise<DataFrame[]> {
  const every = step(span, points, target.interval ?? '');
  const query = put(target.expr, { ...builtin(span, every, target.interval), ...choices });
  const series = target.instant ? await instant(query, span.to) : await range(query, span.from, span.to, every);
  if (!series.length) {
    return [{ refId: target.refId, fields: [], length: 0 }];
  }
  if (target.format === 'table') {
    return [table(series, target.refId, many)];
  }
  return target.format === 'heatmap' ? heatmap(series, target, every) : series.map((one) => curve(one, target, every));
}

const figure = (text: string): number => Number(text.replace('Inf', 'Infinity'));

function curve(series: Series, target: Target, every: number): DataFrame {
  const name = legend(series.metric, target.legendFormat);
  const { __name__, ...labels } = series.metric;
  const time: Field = {
    name: 'Time',
    type: FieldType.time,
    config: { interval: every * 1000 },
    values: series.values.map(([at]) => at * 1000),
  };
  const value: Field = {
    name: 'Value',
    type: FieldType.number,
    labels,
    config: name ? { displayNameFromDS: name } : {},
    values: series.values.map(([, v]) => figure(v)),
  };
  return {
    refId: target.refId,
    name,
    fields: [time, value],
    length: series.values.length,
    meta: { type: DataFrameType.TimeSeriesMulti },
  };
}

function legend(metric: Record<string, string>, format: string): string {
  if (format && format !== '__auto') {
    return format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => metric[label] ?? '');
  }
  const { __name__ = '', ...labels } = metric;
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 1 && !__name__ ? Object.values(labels)[0] : `${__name__}{${pairs.join(', ')}}`;
}

/** One frame: the time, a column for each label, the value. */
function table(series: Series[], refId: string, many: boolean): DataFrame {
  const names = [...new Set(series.flatMap(({ metric }) => Object.keys(metric).sort()))];
  const rows = series.flatMap(({ metric, values }) => values.map(([at, value]) => ({ metric, at, value })));
  const fields: Field[] = [
    { name: 'Time', type: FieldType.time, config: {}, values: rows.map(({ at }) => at * 1000) },
    ...names.map((name) => ({
      name,
      type: FieldType.string,
      config: { filterable: true },
      values: rows.map(({ metric }) => metric[name] ?? ''),
    })),
    {
      name: many ? `Value #${refId}` : 'Value',
      type: FieldType.number,
      config: {},
      values: rows.map(({ value }) => figure(value)),
    },
  ];
  return { refId, fields, length: rows.length };
}

/** One frame: the time, and a column for each bucket, no longer cumulative. */
function heatmap(series: Series[], target: Target, every: number): DataFrame[] {
  const sorted = [...series].sort((a, b) => figure(a.metric.le) - figure(b.metric.le));
  const times = [...new Set(sorted.flatMap(({ values }) => values.map(([at]) => at)))].sort((a, b) => a - b);
  const cumulative = sorted.map(({ values }) => {
    const found = new Map(values.map(([at, value]) => [at, figure(value)]));
    return times.map((at) => found.get(at) ?? 0);
  });
  const counts = cumulative.map((column, i) =>
    column.map((value, j) => Math.max(0, value - (cumulative[i - 1]?.[j] ?? 0))),
  );
  const fields: Field[] = [
    { name: 'Time', type: FieldType.time, config: { interval: every * 1000 }, values: times.map((at) => at * 1000) },
    ...sorted.map(({ metric }, i) => ({
      name: metric.le,
      type: FieldType.number,
      labels: metric,
      config: { displayNameFromDS: metric.le },
      values: counts[i].map((v) => (v < 1e-9 ? 0 : v)),
    })),
  ];
  return [{ refId: target.refId, fields, length: times.length, meta: { type: DataFrameType.HeatmapRows } }];
}
