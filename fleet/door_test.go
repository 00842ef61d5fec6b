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
}

func (f *fleet) frontDoor() *frontDoor { return &frontDoor{apis: f.apis, client: f.client} }

// take hands one webhook on, a reply to two processes at once.
func (d *frontDoor) take(r *http.Request) (doubled bool, err error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return false, err
	}
	events, err := wassenger.ParseWebhook(raw)
	if err != nil {
		return false, err
	}
	doubled = len(events) > 0 && events[0].Kind == campaign.EventReply
	copies := 1
	if doubled {
		copies = 2
	}
	apis := d.apis.all()
	var deliveries errgroup.Group
	for _, n := range rand.Perm(len(apis))[:copies] { //nolint:gosec // not a secret
		deliveries.Go(func() error {
			status, answer, err := call(r.Context(), d.client, http.MethodPost,
				apis[n].url+"/webhooks/wassenger?token="+webhookToken, "application/json", string(raw))
			if err == nil && status != http.StatusOK {
				err = fmt.Errorf("%d: %s", status, answer)
			}
			return err
		})
	}
	return doubled, deliveries.Wait()
}
