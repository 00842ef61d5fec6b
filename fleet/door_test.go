package fleet

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger"
)

// frontDoor hands webhooks on to API processes chosen at random, as a load
// balancer does that knows nothing of their health: one that has just been killed
// is chosen too, and the provider is told to try again.
type frontDoor struct {
	apis   *row
	client *http.Client
	copies int // of each reply, to as many processes at once
}

func (f *fleet) frontDoor(copies int) *frontDoor {
	return &frontDoor{apis: f.apis, client: f.client, copies: copies}
}

// take hands one webhook on. What any copy was refused is refused as a whole.
func (d *frontDoor) take(r *http.Request) error {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	events, err := wassenger.ParseWebhook(raw)
	if err != nil {
		return err
	}
	copies := 1
	if events[0].Kind == campaign.EventReply {
		copies = d.copies
	}
	apis := d.apis.all()
	var deliveries errgroup.Group
	for _, n := range rand.Perm(len(apis))[:copies] {
		deliveries.Go(func() error {
			status, answer, err := call(r.Context(), d.client, http.MethodPost,
				apis[n].url+"/webhooks/wassenger?token="+webhookToken, "application/json", string(raw))
			if err == nil && status != http.StatusOK {
				err = fmt.Errorf("%d: %s", status, answer)
			}
			return err
		})
	}
	return deliveries.Wait()
}
