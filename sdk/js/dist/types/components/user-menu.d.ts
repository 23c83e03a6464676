export declare class Menu {
    private readonly button;
    private readonly panel;
    private readonly items;
    private typed;
    private lastTyped;
    constructor(button: HTMLElement, panel: HTMLElement, signal: AbortSignal);
    get isOpen(): boolean;
    open(at: number): void;
    close(back?: boolean): void;
    private fit;
    private go;
    private get at();
    private onButton;
    private onPanel;
    private find;
}
