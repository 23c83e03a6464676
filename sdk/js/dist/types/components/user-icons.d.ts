declare const lines: {
    readonly plus: 'M10 4v12M4 10h12';
    readonly person: 'M10 10a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM4 16.6c.6-3 3-4.6 6-4.6s5.4 1.6 6 4.6';
    readonly out: 'M8 4H4.5v12H8M12 6.5 15.5 10 12 13.5M15 10H8';
    readonly all: 'M7 4H3.5v12H7M10.5 6.5 14 10l-3.5 3.5M13.5 10H7M16.5 5v10';
    readonly close: 'M5 5l10 10M15 5 5 15';
    readonly shield: 'M10 3 4 5.2v4.3c0 3.6 2.5 6.4 6 7.5 3.5-1.1 6-3.9 6-7.5V5.2L10 3Z';
    readonly box: 'M3.5 6.5 10 3l6.5 3.5v7L10 17l-6.5-3.5v-7ZM3.5 6.5 10 10l6.5-3.5M10 10v7';
};
export declare function drawing(name: keyof typeof lines): SVGElement;
export {};
