/** Buckets over the time. Grafana's own axes; cells and colour scale are imitated, for their code is in none of its packages. */
import { DataFrame, FieldType, formattedValueToString, getValueFormat, ValueFormatter } from '@grafana/data';
import { AxisPlacement, ScaleDirection, ScaleOrientation } from '@grafana/schema';
import { UPlotChart, UPlotConfigBuilder } from '@grafana/ui';
import * as scale from 'd3-scale-chromatic';
import { useMemo } from 'react';
import uPlot from 'uplot';
import { Drawn } from './kind';
import { Marks } from './marks';
import { empty, Nothing } from './nothing';

const LEGEND = 30;

export function Heatmap(props: Drawn) {
  const { frames, fieldConfig, width, height, options } = props;
  const config = useMemo(() => (empty(frames) ? null : plot(props)), [frames]);
  if (!config) {
    return <Nothing fieldConfig={fieldConfig} />;
  }
  const data: any = [
    [props.span.from * 1000, props.span.to * 1000],
    [null, null],
  ];
  const [least, most] = extremes(frames[0], options);
  const stops = palette(options).map((color, i, all) => `${color} ${(100 * i) / (all.length - 1)}%`);
  return (
    <div>
      <UPlotChart config={config} data={data} width={width} height={height - (options.legend.show ? LEGEND : 0)}>
        <Marks config={config} marks={props.marks} shade={false} />
      </UPlotChart>
      {options.legend.show && (
        <div className="scale">
          <div style={{ background: `linear-gradient(90deg, ${stops.join(', ')})` }} />
          <span>{short(least)}</span>
          <span>{short(most)}</span>
        </div>
      )}
    </div>
  );
}

const short = (value: number): string => formattedValueToString(getValueFormat('short')(value));
const edge = (le: string, format: ValueFormatter): string =>
  le === '+Inf' ? le : formattedValueToString(format(Number(le)));
const buckets = (frame: DataFrame) => frame.fields.filter(({ type }) => type === FieldType.number);

function extremes(frame: DataFrame, options: any): [number, number] {
  const shown = buckets(frame)
    .flatMap(({ values }) => values)
    .filter((value) => value > (options.filterValues?.le ?? 0));
  return shown.length ? [Math.min(...shown), Math.max(...shown)] : [0, 1];
}

/** From few to many; on a dark ground few is dark. */
function palette({ color }: any): string[] {
  const named = (scale as any)[`interpolate${color.scheme}`] as (share: number) => string;
  const steps = Array.from({ length: color.steps }, (_, i) => named(i / (color.steps - 1)));
  return color.reverse ? steps : steps.reverse();
}

function plot({ frames, options, span, theme }: Drawn): UPlotConfigBuilder {
  const [frame] = frames;
  const rows = buckets(frame);
  const format = getValueFormat(options.yAxis.unit ?? 'short');
  const builder = new UPlotConfigBuilder('utc');
  builder.addScale({
    scaleKey: 'x',
    isTime: true,
    orientation: ScaleOrientation.Horizontal,
    direction: ScaleDirection.Right,
    range: () => [span.from * 1000, span.to * 1000],
  });
  builder.addScale({
    scaleKey: 'y',
    isTime: false,
    orientation: ScaleOrientation.Vertical,
    direction: ScaleDirection.Up,
    range: [0, rows.length],
  });
  builder.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone: 'utc', theme });
  builder.addAxis({
    scaleKey: 'y',
    isTime: false,
    placement: AxisPlacement.Left,
    theme,
    splits: () => rows.map((_, i) => i + 1),
    values: (_, splits) => splits.map((at) => edge(rows[at - 1].name, format)),
  });
  builder.addSeries({ scaleKey: 'y', theme, show: true, pathBuilder: () => null, pointsBuilder: false as any } as any);
  builder.addHook('draw', (u) => draw(u, frame, options));
  return builder;
}

function draw(u: uPlot, frame: DataFrame, options: any): void {
  const { ctx, bbox } = u;
  const [least, most] = extremes(frame, options);
  const colors = palette(options);
  const times = frame.fields[0];
  const every = times.config.interval ?? 15000;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  buckets(frame).forEach(({ values }, row) => {
    values.forEach((value, i) => {
      if (value <= (options.filterValues?.le ?? 0)) {
        return;
      }
      const [left, right] = [times.values[i] - every, times.values[i]].map((at) => u.valToPos(at, 'x', true));
      const [bottom, top] = [row, row + 1].map((at) => u.valToPos(at, 'y', true));
      const share = most > least ? (value - least) / (most - least) : 1;
      ctx.fillStyle = colors[Math.min(colors.length - 1, Math.floor(share * colors.length))];
      ctx.fillRect(left, top, right - left - options.cellGap, bottom - top - options.cellGap);
    });
  });
  ctx.restore();
}
