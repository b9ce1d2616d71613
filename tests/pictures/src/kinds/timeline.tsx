/** States over the time. Grafana's own axes and legend; the boxes are imitated, for their code is in none of its packages. */
import {
  applyNullInsertThreshold,
  colorManipulator,
  DataFrame,
  Field,
  FieldType,
  formattedValueToString,
  getActiveThreshold,
  getFieldDisplayName,
  getValueFormat,
  GrafanaTheme2,
} from '@grafana/data';
import { AxisPlacement, LegendDisplayMode, ScaleDirection, ScaleOrientation } from '@grafana/schema';
import { FIXED_UNIT, UPlotChart, UPlotConfigBuilder, VizLayout, VizLegend, VizLegendItem } from '@grafana/ui';
import { useMemo } from 'react';
import uPlot from 'uplot';
import { Drawn } from './kind';
import { Marks } from './marks';
import { empty, Nothing } from './nothing';

interface Box {
  from: number;
  to: number;
  text: string;
  color: string;
}

interface Lane {
  name: string;
  boxes: Box[];
}

export const Timeline = (props: Drawn) => <Lanes {...props} samples={false} />;
export const History = (props: Drawn) => <Lanes {...props} samples />;

function Lanes(props: Drawn & { samples: boolean }) {
  const { frames, options, fieldConfig, width, height, theme } = props;
  const lanes = useMemo(() => lanesOf(props), [frames]);
  const config = useMemo(() => plot(props, lanes), [lanes, width, height]);
  if (empty(frames)) {
    return <Nothing fieldConfig={fieldConfig} />;
  }
  const data: any = [[props.span.from * 1000, props.span.to * 1000], ...lanes.map(() => [null, null])];
  const legend = options.legend.showLegend && (
    <VizLayout.Legend placement="bottom">
      <VizLegend items={items(lanes, frames, theme)} displayMode={LegendDisplayMode.List} placement="bottom" readonly />
    </VizLayout.Legend>
  );
  return (
    <VizLayout width={width} height={height} legend={legend || null}>
      {(inner, outer) => (
        <UPlotChart config={config} data={data} width={inner} height={outer}>
          {!props.samples && <Marks config={config} marks={props.marks} shade={false} />}
        </UPlotChart>
      )}
    </VizLayout>
  );
}

function lanesOf({ frames, options, theme, span, samples }: Drawn & { samples: boolean }): Lane[] {
  return frames.flatMap((frame) =>
    frame.fields
      .filter(({ type }) => type === FieldType.number)
      .map((field) => {
        const banded = !samples && options.mergeValues && field.config.color?.mode === 'thresholds';
        const shown = banded ? band(field, theme) : (value: number | null) => named(field, value);
        const name = getFieldDisplayName(field, frame, frames);
        return {
          name,
          boxes: samples ? sampled(frame, field, shown) : merged(frame, field, shown, options.mergeValues, span),
        };
      }),
  );
}

type Shown = (value: number | null) => { text: string; color: string };

function named(field: Field, value: number | null): { text: string; color: string } {
  const display = field.display!(value);
  return { text: formattedValueToString(display), color: display.color ?? '#808080' };
}

/** Grafana merges by the threshold a value is above, and forgets the value and its mapping. */
function band(field: Field, theme: GrafanaTheme2): Shown {
  const { steps } = field.config.thresholds!;
  return (value) => {
    if (value === null) {
      return named(field, null);
    }
    const step = getActiveThreshold(value, steps);
    return { text: bandName(field, steps.indexOf(step)), color: theme.visualization.getColorByName(step.color) };
  };
}

function bandName(field: Field, index: number): string {
  const { steps } = field.config.thresholds!;
  const format = (value: number) =>
    formattedValueToString(getValueFormat(field.config.unit ?? '')(value, field.config.decimals ?? undefined));
  const below = steps[index].value === -Infinity && index < steps.length - 1;
  return below ? `< ${format(steps[index + 1].value)}` : `${format(steps[index].value)}+`;
}

function merged(
  frame: DataFrame,
  field: Field,
  shown: Shown,
  merge: boolean,
  { from, to }: { from: number; to: number },
): Box[] {
  const whole = applyNullInsertThreshold({ frame, refFieldPseudoMin: from * 1000, refFieldPseudoMax: to * 1000 });
  const [times, values] = [whole.fields[0].values, whole.fields[whole.fields.length - 1].values];
  const mapped = field.config.mappings?.some((one: any) => one.type === 'special' && one.options.match === 'null');
  const boxes: Box[] = [];
  values.forEach((value, i) => {
    const last = boxes.at(-1);
    const here = times[i];
    if (last && last.to === Infinity) {
      last.to = here;
    }
    if (value === null && !mapped) {
      return;
    }
    const { text, color } = shown(value);
    if (last && merge && last.to === here && last.text === text) {
      last.to = Infinity;
    } else {
      boxes.push({ from: here, to: Infinity, text, color });
    }
  });
  return boxes.map((box) => ({ ...box, to: Math.min(box.to, to * 1000) }));
}

function sampled(frame: DataFrame, field: Field, shown: Shown): Box[] {
  const [time] = frame.fields;
  const half = (time.config.interval ?? 15000) / 2;
  return field.values.map((value, i) => ({ from: time.values[i] - half, to: time.values[i] + half, ...shown(value) }));
}

function items(lanes: Lane[], frames: DataFrame[], theme: GrafanaTheme2): VizLegendItem[] {
  const field = frames.flatMap(({ fields }) => fields).find(({ type }) => type === FieldType.number)!;
  const steps = field.config.thresholds?.steps ?? [];
  if (field.config.color?.mode === 'thresholds' && steps.length > 1) {
    return steps.map((step, i) => ({
      label: bandName(field, i),
      color: theme.visualization.getColorByName(step.color),
      yAxis: 1,
    }));
  }
  const found = new Map(lanes.flatMap(({ boxes }) => boxes.map(({ text, color }) => [text, color])));
  return [...found].filter(([text]) => text).map(([label, color]) => ({ label, color, yAxis: 1 }));
}

function plot(
  { span, theme, options, fieldConfig, samples, frames }: Drawn & { samples: boolean },
  lanes: Lane[],
): UPlotConfigBuilder {
  const builder = new UPlotConfigBuilder('utc');
  const half = samples ? (frames[0]?.fields[0]?.config.interval ?? 0) / 2 : 0;
  builder.addScale({
    scaleKey: 'x',
    isTime: true,
    orientation: ScaleOrientation.Horizontal,
    direction: ScaleDirection.Right,
    range: () => [span.from * 1000 - half, span.to * 1000 + half],
  });
  builder.addScale({
    scaleKey: FIXED_UNIT,
    isTime: false,
    orientation: ScaleOrientation.Vertical,
    direction: ScaleDirection.Up,
    range: [0, 1],
  });
  builder.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone: 'utc', theme });
  builder.addAxis({
    scaleKey: FIXED_UNIT,
    isTime: false,
    placement: AxisPlacement.Left,
    theme,
    gap: 16,
    grid: { show: false },
    ticks: { show: false },
    splits: () => places(lanes.length, options.rowHeight).map(({ top, high }) => 1 - top - high / 2),
    values: () => lanes.map(({ name }) => name),
  });
  lanes.forEach(() =>
    builder.addSeries({
      scaleKey: FIXED_UNIT,
      theme,
      show: true,
      pathBuilder: () => null,
      pointsBuilder: false as any,
    } as any),
  );
  builder.addHook('draw', (u) => draw(u, lanes, options, fieldConfig.defaults.custom, samples));
  return builder;
}

/** Where each lane is, as shares of the height: the rest of it stands between them. */
function places(count: number, row: number): { top: number; high: number }[] {
  const high = row / count;
  const between = count > 1 ? (1 - row) / (count - 1) : 0;
  const first = count > 1 ? 0 : (1 - row) / 2;
  return Array.from({ length: count }, (_, i) => ({ top: first + i * (high + between), high }));
}

function draw(u: uPlot, lanes: Lane[], options: any, custom: any, samples: boolean): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  places(lanes.length, options.rowHeight).forEach(({ top, high }, i) => {
    for (const box of lanes[i].boxes) {
      const [from, to] = [box.from, box.to].map((at) => Math.round(u.valToPos(at, 'x', true)));
      const gap = samples ? (to - from) * (1 - options.colWidth) : 0;
      const place: [number, number, number, number] = [
        from + gap / 2,
        Math.round(bbox.top + top * bbox.height),
        Math.max(1, to - from - gap),
        Math.round(high * bbox.height),
      ];
      ctx.fillStyle = colorManipulator.alpha(box.color, (custom.fillOpacity ?? 70) / 100);
      ctx.fillRect(...place);
      if (custom.lineWidth) {
        ctx.strokeStyle = box.color;
        ctx.lineWidth = custom.lineWidth;
        ctx.strokeRect(...place);
      }
    }
  });
  ctx.restore();
}
