from core.saliency.measure import main

if __name__ == "__main__":
    main()
