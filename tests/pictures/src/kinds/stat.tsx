/** Figures and bars: Grafana's own BigValue and BarGauge, laid out by its own repeater. */
import {
  DisplayValue,
  FieldConfig,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  VizOrientation,
} from '@grafana/data';
import { BarGauge, BigValue, VizRepeater } from '@grafana/ui';
import { Drawn } from './kind';

const shown =
  ({ frames, options, fieldConfig, theme, replace }: Drawn, sparkline: boolean) =>
  () =>
    getFieldDisplayValues({
      fieldConfig,
      reduceOptions: options.reduceOptions,
      replaceVariables: replace as any,
      theme,
      data: frames,
      sparkline,
      timeZone: 'utc',
    });

/** A figure alone has the panel's title, and no name of its own. */
const named = (count: number, defaults: FieldConfig, display: DisplayValue): DisplayValue =>
  count === 1 && !defaults.displayName ? { ...display, title: undefined } : display;

export function Stat(props: Drawn) {
  const { options, width, height, theme } = props;
  return (
    <VizRepeater
      getValues={shown(props, options.graphMode !== 'none')}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      source={props.frames}
      width={width}
      height={height}
      itemSpacing={3}
      renderCounter={0}
      autoGrid
      orientation={options.orientation}
      renderValue={({ value, width, height, alignmentFactors, count }) => (
        <BigValue
          value={value.display}
          count={count}
          sparkline={value.sparkline}
          width={width}
          height={height}
          theme={theme}
          colorMode={options.colorMode}
          graphMode={options.graphMode}
          justifyMode={options.justifyMode}
          textMode={options.textMode}
          text={options.text}
          alignmentFactors={alignmentFactors}
          disableWideLayout={!options.wideLayout}
          hasLinks={!!value.hasLinks}
        />
      )}
    />
  );
}

const SPACING = 10;
const LEAST = { minVizWidth: 8, minVizHeight: 16, maxVizHeight: 300 };

export function Bars(props: Drawn) {
  const { options, width, height, theme, fieldConfig } = props;
  const sizes = options.sizing === 'manual' ? { ...LEAST, ...options } : LEAST;
  return (
    <VizRepeater
      getValues={shown(props, false)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      source={props.frames}
      width={width}
      height={height}
      itemSpacing={SPACING}
      renderCounter={0}
      orientation={options.orientation}
      minVizWidth={sizes.minVizWidth}
      minVizHeight={sizes.minVizHeight}
      maxVizHeight={sizes.maxVizHeight}
      renderValue={({ value, width, height: each, alignmentFactors, orientation, count }) => (
        <BarGauge
          value={named(count, fieldConfig.defaults, value.display)}
          width={width}
          height={each}
          orientation={orientation as VizOrientation}
          field={value.field}
          text={options.text}
          theme={theme}
          itemSpacing={SPACING}
          displayMode={options.displayMode}
          display={
            value.view && value.colIndex !== undefined ? value.view.getFieldDisplayProcessor(value.colIndex) : undefined
          }
          alignmentFactors={count > 1 ? alignmentFactors : undefined}
          showUnfilled={options.showUnfilled}
          valueDisplayMode={options.valueMode}
          namePlacement={options.namePlacement}
          isOverflow={(each + SPACING) * count - SPACING > height}
        />
      )}
    />
  );
}
