/** The marks on the curves: what each annotation query found, near points joined into one. */
import { Annotation, Dashboard } from './dashboard';
import { builtin, Span, step } from './moment';
import { range } from './prometheus';
import { put } from './variables';

export interface Mark {
  color: string;
  /** Milliseconds; the same for a moment. */
  from: number;
  to: number;
}

const POINTS = 100;

export async function marks(dashboard: Dashboard, choices: Record<string, string>, span: Span): Promise<Mark[]> {
  const asked = dashboard.annotations.list.filter((one) => one.enable);
  return (await Promise.all(asked.map((one) => found(one, choices, span)))).flat();
}

async function found(annotation: Annotation, choices: Record<string, string>, span: Span): Promise<Mark[]> {
  const every = step(span, POINTS, annotation.target.interval);
  const query = put(annotation.target.expr, { ...builtin(span, every), ...choices });
  const series = await range(query, span.from, span.to, every);
  return series.flatMap(({ values }) =>
    joined(
      values.map(([at]) => at),
      every,
      annotation.iconColor,
    ),
  );
}

function joined(times: number[], every: number, color: string): Mark[] {
  const marks: Mark[] = [];
  for (const at of times) {
    const last = marks.at(-1);
    if (last && at * 1000 - last.to <= every * 1000) {
      last.to = at * 1000;
    } else {
      marks.push({ color, from: at * 1000, to: at * 1000 });
    }
  }
  return marks;
}
